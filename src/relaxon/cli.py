"""The command line. Whatever needs jax is imported by the command that needs it.

Exit codes: 0 done; 1 a check fails or a run ended badly; 2 bad input, one sentence on stderr.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import platform
import signal
import sys
import time
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from relaxon.core.errors import InputError, one_line, printable, require, unknown
from relaxon.core.version import VERSION

DONE, ENDED_BADLY, BAD_INPUT = 0, 1, 2

PACKAGES = ("jax", "jaxlib", "equinox", "numpy", "scipy", "xarray", "zarr", "matplotlib")

REFERENCE = 1.703941
"""|F - M|_M at t = 1/2 for delta = 1e-2, alpha = 0.35, by a finite-volume code on two grids."""

EXHAUSTED = "RESOURCE_EXHAUSTED"
"""How the message of jax begins when it finds no memory."""
REPORT_SECONDS = 60.0
"""How long a finished run waits for another process that writes in its directory."""

ESTIMATING = "Estimating the error by two companion runs; --no-error leaves it out."

TOLERANCE = 1e-5
"""Relative; the reference has six digits and 200 cells are accurate to 2e-6."""

app = App(
    name="relaxon",
    help="Relaxation to equilibrium in kinetic theory: solve, measure, check.",
    version=f"relaxon {VERSION}",
    version_flags=["--version"],
    result_action="return_value",
)


def main(tokens: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: keep what is done
    sys.exit(run_tokens(sys.argv[1:] if tokens is None else tokens))


def run_tokens(tokens: list[str]) -> int:
    """Run one command.

    Args:
        tokens: The words of the command line.

    Returns:
        The exit code.
    """
    try:
        return int(app(tokens, exit_on_error=False, print_error=False) or DONE)
    except CycloptsError as error:
        return _fail(str(error), BAD_INPUT)
    except InputError as error:
        return _fail(str(error), BAD_INPUT)
    except MemoryError as error:
        return _fail(f"This needs more memory than there is: {error}.", BAD_INPUT)
    except RuntimeError as error:
        if not str(error).startswith(EXHAUSTED):
            raise
        return _fail(f"This needs more memory than there is: {error}.", BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ENDED_BADLY
    except KeyboardInterrupt:
        return _fail("Interrupted.", ENDED_BADLY)
    except OSError as error:
        return _fail(str(error), ENDED_BADLY)


@app.command
def cases() -> int:
    """List the ready-made cases, a line each."""
    from relaxon.cases.catalogue import descriptions

    found = descriptions()
    width = max(map(len, found))
    for name, line in found.items():
        print(f"{name:<{width}}  {line}")
    return DONE


@app.command
def run(
    case: str,
    /,
    *,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    out: pathlib.Path | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
    error: bool = True,
) -> int:
    """Run a case or a configuration file; write results, figures and a report.

    Parameters
    ----------
    case:
        Name of a ready-made case, or a TOML file.
    settings:
        A change, key=value; may be given several times.
    out:
        Directory to write to; must not exist. Default: runs/CASE.
    quiet:
        Show nothing but errors.

    Error:
        Estimate the error of the numbers, by two companion runs.
    """
    from relaxon.cases.catalogue import from_file
    from relaxon.cases.files import parse_settings
    from relaxon.numerics.devices import use_cores

    changes, path = parse_settings(list(settings)), _file_of(case)
    out = out or pathlib.Path("runs") / path.stem
    require(not out.exists(), f"{out} exists already; choose another directory or remove it.")
    use_cores()
    found = from_file(path, changes)
    return _finish(found.solve(progress=not quiet, out=out), out, quiet, error)


@app.command
def resume(
    directory: pathlib.Path,
    /,
    *,
    t_end: float | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
    error: bool = True,
) -> int:
    """Take up an interrupted run, or continue a finished one to a later time.

    Parameters
    ----------
    directory:
        What `relaxon run` wrote.
    t_end:
        New end time; left out, the run goes on to the end it was started with.
    quiet:
        Show nothing but errors.

    Error:
        Estimate the error of the numbers, by two companion runs.
    """
    from relaxon.numerics.devices import use_cores
    from relaxon.runs.solve import resume as resume_run

    use_cores()
    solution = resume_run(directory, t_end, progress=not quiet)
    return _finish(solution, directory, quiet, error)


@app.command
def show(
    directory: pathlib.Path, /, *, json_: Annotated[bool, Parameter("--json", negative="")] = False
) -> int:
    """Show status, invariants and headline numbers of a run.

    Parameters
    ----------
    directory:
        What `relaxon run` wrote.
    json_:
        As JSON.
    """
    from relaxon.reports.headlines import catalogue as summary
    from relaxon.runs.opened import known_error, open_run

    solution = open_run(directory)
    error = known_error(directory, solution)
    if json_:
        print(json.dumps(summary.as_json(solution, error), indent=1))
    else:
        print(printable(summary.as_text(solution, error)))
    return DONE


@app.command
def verify(directory: pathlib.Path, /) -> int:
    """Compare the checksums of all files of a run; ends with 1 if one is damaged.

    Parameters
    ----------
    directory:
        What `relaxon run` wrote.
    """
    from relaxon.runs.integrity import verify as verified

    found = verified(directory)
    for line in found.lines():
        print(printable(line))
    return DONE if found.ok else ENDED_BADLY


@app.command
def plot(
    directory: pathlib.Path,
    /,
    *,
    what: str | None = None,
    output: Annotated[pathlib.Path | None, Parameter(alias="-o")] = None,
) -> int:
    """Draw the figures of a run.

    Parameters
    ----------
    directory:
        What `relaxon run` wrote.
    what:
        Name of one figure; left out, all that apply are drawn.
    output:
        File to write, .png, .svg or .pdf; with several figures their names are added. Default:
        figures/NAME.png in the run directory.
    """
    from relaxon.reports.figures import catalogue as figures
    from relaxon.runs.directory import open_run

    solution = open_run(directory)
    names = [what] if what else figures.applicable(solution)
    require(bool(names), f"{directory} has recorded nothing that could be drawn.")
    drawn = {name: figures.draw(solution, name) for name in names}
    for name, figure in drawn.items():
        path = output or directory / "figures" / f"{name}.png"
        if output and not what:
            path = output.with_name(f"{output.stem}-{name}{output.suffix}")
        figures.save(figure, path)
        print(path)
    return DONE


@app.command
def check(
    *names: str,
    quick: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[pathlib.Path | None, Parameter("--json")] = None,
    report: pathlib.Path | None = None,
) -> int:
    """Check statements of the papers; ends with 1 if any fails.

    Parameters
    ----------
    names:
        Names of checks; none for all.
    quick:
        Smaller families and coarser grids.
    json_:
        Write the verdicts to this JSON file.
    report:
        Write the verdicts to this HTML file.
    """
    from rich.console import Console

    from relaxon import theorems
    from relaxon.reports import page as pages

    _require_folder(json_, report)
    catalogue = theorems.checks()
    chosen = list(names) or list(catalogue)
    for name in chosen:
        if name not in catalogue:
            raise unknown("check", name, catalogue)
    verdicts: list[Any] = []
    with Console(stderr=True).status("") as line:
        for number, name in enumerate(chosen, 1):
            line.update(f"{name}  ({number} of {len(chosen)})")
            verdicts += theorems.check([name], quick=quick)
    _table(verdicts)
    if json_:
        pages.write(verdicts_json(verdicts), json_)
    if report:
        pages.write(pages.verdicts_page(verdicts), report)
    failed = [v.name for v in verdicts if v.verdict == "fails"]
    if failed:
        return _fail(f"These checks fail: {', '.join(failed)}.", ENDED_BADLY)
    return DONE


@app.command
def convergence(
    case: str,
    /,
    *,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    levels: int = 3,
    refine: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    quantity: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    factor: float = 2.0,
    report: pathlib.Path | None = None,
) -> int:
    """Show errors and observed orders of a case, by refining its grid and its time steps.

    Parameters
    ----------
    case:
        Name of a ready-made case, or a TOML file; as it stands it is the coarsest level.
    settings:
        A change, key=value; may be given several times.
    levels:
        How many levels, at least 3.
    refine:
        What to refine: n, nodes, rtol; may be given several times. Default: all that there is.
    quantity:
        What to compare: a name of a diagnostic; may be given several times. Default: all that
        measure the solution.
    factor:
        How much larger a grid is than the one before.
    report:
        Write the tables to this HTML file, too.
    """
    from relaxon.cases.catalogue import from_file
    from relaxon.cases.convergence import convergence as refined
    from relaxon.cases.files import parse_settings

    _require_folder(report)
    start = from_file(_file_of(case), parse_settings(list(settings)))
    found = refined(start, refine or None, levels, quantity or None, factor)
    print(found)
    if report:
        from relaxon.reports import page

        page.write(page.convergence_page(found), report)
    return DONE


@app.command
def doctor() -> int:
    """Show versions and devices and solve a small problem whose answer is known."""
    lines, healthy = examine()
    print("\n".join(lines))
    if healthy:
        return DONE
    return _fail("The self-test failed; see above.", ENDED_BADLY)


def verdicts_json(verdicts: list[Any]) -> str:
    """Verdicts as JSON."""
    from relaxon.runs.files import clean_json

    return json.dumps(clean_json([v.to_dict() for v in verdicts]), indent=1)


def _file_of(case: str) -> pathlib.Path:
    """The file of a ready-made case, or the file that was named."""
    from relaxon.cases.catalogue import case_files

    files = case_files()
    if case not in files and not case.endswith(".toml"):
        raise unknown("case", case, files)
    return files.get(case, pathlib.Path(case))


def _finish(solution: Any, out: pathlib.Path, quiet: bool, estimate: bool) -> int:
    """Estimate the error, draw, report, print; the exit code of a run."""
    from relaxon.reports import page as report
    from relaxon.reports.headlines import catalogue as summary
    from relaxon.runs.lock import locked
    from relaxon.stepping.status import Status

    if solution.status is Status.INTERRUPTED:
        sentence = f"Interrupted; go on with `relaxon resume {out}`."
        return _fail(sentence, ENDED_BADLY)
    usable = solution.status in (Status.DONE, Status.BLOWUP)
    estimate = estimate and usable
    if estimate and not quiet:
        print(ESTIMATING, file=sys.stderr, flush=True)
    try:
        with locked(out, REPORT_SECONDS):
            error = solution.error if estimate else None
            page = report.write_run(solution, out, error)
    except InputError as refusal:
        return _fail(f"{refusal} The run itself is complete.", ENDED_BADLY)
    if not quiet:
        print(printable(summary.as_text(solution, error)))
        print(f"report     {page}")
    if solution.ok:
        return DONE
    return _fail(f"{solution.status.name}: {solution.status.advice}", ENDED_BADLY)


def _table(verdicts: list[Any]) -> None:
    """The verdict table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("check", "verdict"):
        table.add_column(title, no_wrap=True)
    for title in ("measured", "error", "margin"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("source")
    colours = {"holds": "green", "fails": "red", "undecided": "yellow"}
    for v in verdicts:
        verdict = f"[{colours[v.verdict]}]{v.verdict}[/]"
        numbers = f"{v.value:.6g}", f"{v.error:.1e}", f"{v.margin:.3g}"
        table.add_row(escape(v.name), verdict, *numbers, escape(v.source))
    Console(highlight=False).print(table)


def _require_folder(*paths: pathlib.Path | None) -> None:
    """Refuse files to write in directories that do not exist."""
    for path in paths:
        if path is not None:
            require(path.parent.is_dir(), f"Cannot write {path}: there is no such directory.")


def _fail(sentence: str, code: int) -> int:
    print(f"relaxon: {one_line(sentence)}", file=sys.stderr)
    return code


def examine() -> tuple[list[str], bool]:
    """What there is, and whether it works.

    Returns:
        The lines to print, and whether every test passed.
    """
    import jax
    import jax.numpy as jnp

    lines = [f"relaxon     {VERSION}", f"python      {platform.python_version()}"]
    lines += [f"{name:<11} {importlib.metadata.version(name)}" for name in PACKAGES]
    devices = ", ".join(f"{d.platform} ({d.device_kind})" for d in jax.devices())
    lines.append(f"devices     {devices}; {os.cpu_count()} processor cores")
    double = jnp.ones(()).dtype == jnp.float64
    lines.append(
        "float64     yes"
        if double
        else "float64     NO: jax is in single precision; import relaxon before using jax"
    )
    began = time.perf_counter()
    value, drift, status = _self_test()
    seconds = time.perf_counter() - began
    error = abs(value / REFERENCE - 1)
    passed = status == "DONE" and error < TOLERANCE and drift < 1e-12
    verdict = "passed" if passed else "FAILED"
    lines += [
        f"self-test   {verdict} in {seconds:.1f} s: |F - M|_M = {value:.7f}, reference {REFERENCE}",
        f"            relative error {error:.1e}, drift of the energy {drift:.1e}",
    ]
    return lines, double and passed


def _self_test() -> tuple[float, float, str]:
    from relaxon.cases.catalogue import case

    settings = {"delta": 1e-2, "alpha": 0.35, "n": 200, "times": 2}
    solution = case("blowdown", **settings).solve()
    distance = float(solution.diagnostics["distance_m"][-1])
    return distance, solution.drift("energy"), solution.status.name
