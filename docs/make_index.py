"""Make docs/reference/formulas.md: formula of the paper -> function -> check.

    python docs/make_index.py

It reads the docstrings of src for equation and theorem numbers beside a paper's key, and the
sources of the checks; a test finds the page fresh.
"""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
SOURCE = ROOT / "src" / "relaxon"
PAGE = ROOT / "docs" / "reference" / "formulas.md"
PAPERS = {
    "gualdani2025": "Gualdani, Winter: a blow-down mechanism for the Landau-Coulomb equation",
    "duerinckx2023": "Duerinckx, Winter: well-posedness of the Lenard-Balescu equation",
    "neumann2016": "Neumann, Schmeiser: a kinetic reaction model",
}
KINDS = "Theorem|Lemma|Proposition|Corollary|Remark|Definition|Section|section"
NUMBER = rf"(?:\((?:\d+\.)?\d+\)|(?:{KINDS})s? \d+(?:\.\d+)*)"
RANGE = re.compile(r"\((\d+\.)?(\d+)\)\s*(?:-|to)\s*\((\d+\.)?(\d+)\)")
# What may stand between a key and its numbers, and between two numbers.
MENTION = re.compile(rf"({'|'.join(PAPERS)})((?:(?:,| and|;)?\s*(?:of )?(?:{NUMBER}))+)")
Documented = ast.Module | ast.ClassDef | ast.FunctionDef
HEADER = """# Formulas

Where a formula of the papers is computed, and which check measures it. Made by `docs/make_index.py`
from the docstrings and the sources of the checks.
"""


def numbers(text: str) -> list[str]:
    """The formulas named after a key, ranges spelled out."""

    def spelled(found: re.Match) -> str:
        chapter = found[1] or ""
        return ", ".join(f"({chapter}{k})" for k in range(int(found[2]), int(found[4]) + 1))

    text = RANGE.sub(spelled, " ".join(text.split()))
    found = []
    for kind, values in re.findall(
        rf"(?:({KINDS})s? )?((?:\(?\d+(?:\.\d+)*\)?(?:, | and )?)+)", text
    ):
        for value in re.findall(r"\(?\d+(?:\.\d+)*\)?", values):
            plain = value.startswith("(")
            found.append(value if plain else f"{kind.capitalize()} {value}")
    return found


def mentions(text: str) -> set[tuple[str, str]]:
    """(paper, formula) for every mention in a text."""
    text = RANGE.sub(
        lambda m: " and ".join(f"({m[1] or ''}{k})" for k in range(int(m[2]), int(m[4]) + 1)), text
    )
    return {(paper, one) for paper, rest in MENTION.findall(text) for one in numbers(rest)}


def order(formula: str) -> tuple:
    """Equations by number, then statements by kind and number."""
    kind = formula.split()[0] if formula[0] != "(" else ""
    return kind, [int(x) for x in re.findall(r"\d+", formula)]


def bare(text: str, paper: str) -> set[tuple[str, str]]:
    """Equations without a key, in a file that names one paper only: (2.4); (9) of neumann2016."""
    shape = r"\(\d{1,2}\)" if paper == "neumann2016" else r"\(\d\.\d{1,2}\)"
    return {(paper, one) for one in re.findall(rf"(?<![\w\]`)]){shape}", text)}


def functions() -> dict[tuple[str, str], set[str]]:
    """(paper, formula) -> dotted names whose docstring mentions it."""
    found: dict[tuple[str, str], set[str]] = {}

    def visit(node: Documented, name: str, papers: set[str]) -> None:
        text = ast.get_docstring(node) or ""
        name = re.split(r"\.(?=_)", name)[0]  # what is private belongs to what is around it
        for key in mentions(text).union(*(bare(text, paper) for paper in papers)):
            found.setdefault(key, set()).add(name)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Documented) and "claim" not in decorators(child):
                visit(child, f"{name}.{child.name}", papers)

    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        papers = {paper for paper in PAPERS if paper in text}
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        visit(ast.parse(text), name, papers if len(papers) == 1 else set())
    return found


def decorators(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """Names of the decorators that are called."""
    calls = [one.func for one in node.decorator_list if isinstance(one, ast.Call)]
    return [call.id for call in calls if isinstance(call, ast.Name)]


def checks() -> dict[tuple[str, str], set[str]]:
    """(paper, formula) -> names of the checks whose source it is."""
    import relaxon as rx

    found: dict[tuple[str, str], set[str]] = {}
    for name, check in rx.checks().items():
        for key in mentions(check.source):
            found.setdefault(key, set()).add(name)
    return found


def page() -> str:
    """The page."""
    computed, measured = functions(), checks()
    lines = [HEADER]
    for paper, title in PAPERS.items():
        lines += [
            f"## {paper}\n",
            f"{title}.\n",
            "| formula | computed by | checked by |",
            "|---|---|---|",
        ]
        keys = sorted({k for p, k in computed.keys() | measured.keys() if p == paper}, key=order)
        for key in keys:
            where, names = computed.get((paper, key), ()), measured.get((paper, key), ())
            cells = [", ".join(f"`{x}`" for x in sorted(group)) for group in (where, names)]
            lines.append(f"| {key} | {cells[0]} | {cells[1]} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
