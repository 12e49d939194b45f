"""Every block of the documentation works: Python, case files, command lines.

Python blocks of a page run in order in one namespace; a page with the HTML comment `<!-- slow -->`
is left to the slow suite. Command lines are parsed, with the cases, checks and settings that they
name; what reads a run is carried out on a small one.
"""

import importlib.util
import pathlib
import re
import shlex
import shutil
import tomllib

import pytest

import relaxon as rx
from relaxon.cases import files
from relaxon.cases.catalogue import case_files, from_tables
from relaxon.cli import app, run_tokens

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = ("docs", "examples", "validation", "benchmarks")
PAGES = sorted(ROOT.glob("*.md")) + [
    page
    for folder in FOLDERS
    for page in sorted((ROOT / folder).rglob("*.md"))
    if "_build" not in page.parts
]
FENCE = re.compile(r"^```(\w*)[ \t]*\n(.*?)^```", re.M | re.S)
SHELL = ("", "sh", "bash", "console")
READS_A_RUN = ("show", "plot", "resume")
TASKS = "python3 tasks.py "


def text_of(page):
    return page.read_text(encoding="utf-8")


def blocks(page, *languages):
    """(line, body) of the fenced blocks in the given languages."""
    text = text_of(page)
    for found in FENCE.finditer(text):
        if found[1] in languages:
            yield text.count("\n", 0, found.start(2)), found[2]


def commands(page, start="relaxon "):
    """The command lines of a page: those of its blocks, without remarks."""
    for _, body in blocks(page, *SHELL):
        for line in body.replace("\\\n", " ").splitlines():
            if line.startswith(start):
                yield re.split(r"\s{2,}|\s#", line)[0]


def mentions(page):
    """Command lines within sentences."""
    for found in re.findall(r"`(relaxon [^`]+)`", FENCE.sub("", text_of(page))):
        yield " ".join(found.split())


def having(kind, light=False):
    """The pages with something of a kind, as parameters; `light` work does not wait."""
    return [
        pytest.param(
            page,
            id=str(page.relative_to(ROOT)),
            marks=[pytest.mark.slow] if "<!-- slow -->" in text_of(page) and not light else [],
        )
        for page in PAGES
        if any(True for _ in kind(page))
    ]


@pytest.mark.parametrize("page", having(lambda page: blocks(page, "python")))
def test_python_blocks(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "documentation"}
    for line, body in blocks(page, "python"):
        exec(compile("\n" * line + body, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", having(lambda page: blocks(page, "toml"), light=True))
def test_case_files(page):
    for _, body in blocks(page, "toml"):
        case = from_tables("block", tomllib.loads(body), {"times": 2, "t_end": 1e-3})
        solution = case.solve()
        assert solution.ok and len(solution.t) == 2


def usage(line):
    """Whether a line is a synopsis, `relaxon run CASE [--out DIR]`, and no command."""
    return re.search(r"[\[\]|]|\b[A-Z]{3,}\b", re.sub(r"'[^']*'", "", line)) is not None


def check_usage(line):
    """A synopsis names a command and options that exist."""
    command = app[line.split()[1]]
    known = {name for argument in command.assemble_argument_collection() for name in argument.names}
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", line)) <= known, line


def check_command(tokens):
    """A command line parses, and what it names exists."""
    command, bound, *_ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    given = bound.arguments
    if command.__name__ in ("run", "convergence") and not given["case"].endswith(".toml"):
        tables = files.read(case_files()[given["case"]])
        files.parse(tables, files.parse_settings(list(given.get("settings", ()))))
    if command.__name__ == "check":
        assert set(given.get("names", ())) <= set(rx.checks())


def named(page):
    """The command lines of blocks and of sentences."""
    return [*commands(page), *mentions(page)]


@pytest.mark.parametrize("page", having(named, light=True))
def test_command_lines_parse(page):
    for line in named(page):
        if usage(line) or len(line.split()) == 2:  # `relaxon run` alone is the command's name
            check_usage(line)
        else:
            check_command(shlex.split(line)[1:])


def reading(page):
    """The runs that a page starts and reads."""
    lines = [shlex.split(line)[1:] for line in commands(page) if not usage(line)]
    if any(tokens[0] in READS_A_RUN for tokens in lines):
        yield from (tokens for tokens in lines if tokens[0] in (*READS_A_RUN, "run", "cases"))


@pytest.mark.parametrize("page", having(reading))
def test_command_lines_that_read_a_run(page, finished, tmp_path, monkeypatch, capsys):
    """A small run stands in for those that the page starts."""
    monkeypatch.chdir(tmp_path)
    for tokens in reading(page):
        if tokens[0] == "run":
            shutil.copytree(finished, tokens[tokens.index("--out") + 1])
        else:
            assert run_tokens(tokens) == 0, capsys.readouterr().err


def test_tasks_exist():
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    tasks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tasks)
    named = {
        name
        for page in PAGES
        for line in commands(page, TASKS)
        for name in line.removeprefix(TASKS).split()
    }
    assert named and named <= tasks.TASKS.keys()


def test_links_between_pages_lead_somewhere():
    wrong = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(
            r"\]\(([^)#:\s]+\.\w+)(?:#[\w-]*)?\)", FENCE.sub("", text_of(page))
        )
        if not (page.parent / target).exists()
    ]
    assert not wrong
