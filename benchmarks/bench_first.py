"""The first result in a fresh process: import, compile, run; and a second run in the same one.

python benchmarks/bench_first.py
"""

import subprocess
import sys

CODE = """
import time
began = time.perf_counter()
import relaxon as rx
imported = time.perf_counter()
grid = rx.RadialGrid(3, 400, 12.0, 1e-4)
problem = rx.Problem(rx.Landau(), grid, rx.distributions.blowdown(grid, 1e-6, 0.3))
ready = time.perf_counter()
rx.solve(problem, 0.5)
first = time.perf_counter()
rx.solve(problem, 0.5)
second = time.perf_counter()
print(f"import {imported - began:.2f} s, set up {ready - imported:.2f} s, "
      f"first solve {first - ready:.2f} s, second {second - first:.2f} s, "
      f"start to first result {first - began:.2f} s; processor {time.process_time():.2f} s")
"""

if __name__ == "__main__":
    for _ in range(2):
        subprocess.run([sys.executable, "-c", CODE], check=True)
