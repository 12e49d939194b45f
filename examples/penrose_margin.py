"""A plasma physicist: at which drift do two beams become unstable, how close are stable ones?"""

import relaxon as rx


def main(n=48, drifts=(0.8, 1.0, 1.2)):
    grid, potential = rx.VelocityGrid(2, n, 7.0), rx.potentials.Gaussian(2)
    for drift in drifts:
        means = [[drift, 0.0], [-drift, 0.0]]
        f = rx.distributions.gaussian_mixture(grid, [0.5, 0.5], means, [0.5, 0.5])
        report = rx.dispersion.penrose(potential, f, grid)
        verdict = "stable" if report.stable else "unstable"
        along, across = abs(report.direction[0]), abs(report.direction[1])
        print(
            f"drift {drift:g}: {verdict}, min |eps| = {report.margin:.4f} for k = {report.k:.2f}",
            end="",
        )
        print(f" along ({along:.2f}, {across:.2f}), u = {report.u:.2f}")


if __name__ == "__main__":
    main()
