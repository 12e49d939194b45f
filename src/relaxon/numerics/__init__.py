"""Mathematics without a physical word: quadrature, roots, fits, linear solvers, devices."""
