"""Short versions, with fixed seeds, of the campaigns against runs on disk."""

import importlib.util
import pathlib
import random
import signal
import time

import relaxon as rx
from relaxon.cli import run_tokens

CAMPAIGNS = pathlib.Path(__file__).parents[2] / "campaigns"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"campaign_{name}", CAMPAIGNS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_damage_is_silent(tmp_path):
    counts, failures = loaded("damaged").campaign(16, 3, tmp_path)
    assert sum(counts.values()) == 16 and not failures


def test_a_run_killed_while_its_report_is_written_resumes_as_it_ended(tmp_path):
    """A run that blew up is over: its resumption takes no further step."""
    kill9 = loaded("kill9")
    out = tmp_path / "run"
    process = kill9.start(kill9.run_tokens("blowup", out), often=False)
    kill9.kill(process, out, "report", random.Random(0))
    whole = rx.open(out)
    assert whole.status is rx.Status.BLOWUP
    assert not kill9.difference(rx.resume(out), whole)
    (out / "solution.zarr").rename(tmp_path / "aside")  # killed before the store was written
    assert not kill9.difference(rx.resume(out), whole)
    assert rx.verify(out).ok


def test_sigterm_leaves_a_run_that_can_be_resumed(tmp_path, capsys):
    kill9 = loaded("kill9")
    out = tmp_path / "run"
    process = kill9.start(kill9.run_tokens("blowdown", out), often=False)
    until = time.monotonic() + 120
    while kill9.records(out) < 5 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.0005)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert process.returncode == 1
    assert error.decode() == f"relaxon: Interrupted; go on with `relaxon resume {out}`.\n"
    assert run_tokens(["resume", str(out), "--quiet", "--no-error"]) == 0
    assert rx.open(out).ok and rx.verify(out).ok


def test_strings_never_become_markup(tmp_path):
    """Names and settings come from files; a report and a terminal show them as they are."""
    from relaxon.core.errors import printable
    from relaxon.reports.page import run_page

    evil = "<script>alert(1)</script>$x_[red]\x1b[31m"
    grid = rx.RadialGrid(d=3, n=40, r_max=12.0, r_min=0.05)
    f0 = rx.distributions.maxwellian(grid, 1.0, 1.0)
    record = rx.Record(
        n=3,
        notes={"case": evil, "description": evil, "source": evil, "initial": {"type": evil}},
    )
    page = run_page(rx.solve(rx.Problem(rx.Landau(), grid, f0), 1e-3, record))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert printable(evil) == "<script>alert(1)</script>$x_[red]\\x1b[31m"
