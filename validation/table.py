"""The table of a validation script: printed, held to its tolerances, kept in README.md."""

import pathlib
import sys

README = pathlib.Path(__file__).parent / "README.md"
FIGURES = pathlib.Path(__file__).parent / "figures"
HEAD = ("quantity", "published", "relaxon", "difference", "allowed")


def report(name, rows):
    """Print rows (quantity, published, measured, allowed difference) and fail on a wrong one.

    With `--write` the section of README.md between the comments `<!-- name -->` and `<!-- end -->`
    is written anew.
    """
    lines = [HEAD, ("---",) * len(HEAD)]
    lines += [
        (
            what,
            f"{published:.14g}",
            f"{found:.14g}",
            f"{abs(found - published):.1e}",
            f"{allowed:.0e}",
        )
        for what, published, found, allowed in rows
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    wrong = [
        what for what, published, found, allowed in rows if not abs(found - published) <= allowed
    ]
    assert not wrong, f"{name}: outside the tolerance: {', '.join(wrong)}"
    if "--write" in sys.argv:
        before, mark, rest = README.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
        assert mark, f"{README.name} has no section for {name}"
        after = rest[rest.index("<!-- end -->") :]
        README.write_text(f"{before}{mark}\n{table}\n\n{after}", encoding="utf-8")


def save(figure, name):
    """Write a figure of the page."""
    FIGURES.mkdir(exist_ok=True)
    figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})
