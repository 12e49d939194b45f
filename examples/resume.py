"""A long run: write it as it goes on, take it up again later, read it from anywhere."""

import pathlib
import tempfile

import numpy as np

import relaxon as rx


def main(n=150, t_end=1.0):
    case = rx.case("blowdown", delta=1e-3, n=n, times=6)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bump"
        rx.solve(case.problem, t_end / 2, rx.Record(n=4), out=path)
        longer = rx.resume(path, t_end)
        print(f"resumed to t = {longer.t[-1]:g}: {longer.status.name}")
        print(f"mass drift {longer.drift('mass'):.0e}, energy drift {longer.drift('energy'):.0e}")
        same = np.array_equal(rx.open(path).f, longer.f)
        print(f"read again from disk, bit for bit: {same}")


if __name__ == "__main__":
    main()
