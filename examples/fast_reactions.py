"""A modeller: how fast do two species mix, and from which epsilon on does the limit serve?"""

import numpy as np

import relaxon as rx


def solved(name, **settings):
    """The amplitude of the first wave at t = 0.06, and the rate at which it falls before."""
    found = rx.case(name, t_end=0.06, times=[0.03, 0.04, 0.05], **settings).solve()
    amplitude = found.diagnostics["amp1"]
    return amplitude[-1], np.log(amplitude[-4] / amplitude[-1]) / 0.03


def main(epsilons=(1.0, 0.3, 0.1, 0.03, 0.01), n=32, nodes=24):
    limit, rate = solved("reaction-limit", n=n)
    print(f"limit equation  amplitude {limit:.5f}  decay rate {rate:6.2f}")
    for e in epsilons:
        found, rate = solved("reaction-p1", epsilon=e, n=n, nodes=nodes)
        print(f"epsilon = {e:<5g} amplitude {found:.5f}  decay rate {rate:6.2f}", end="")
        print(f"  off by {abs(found / limit - 1):.1e}")


if __name__ == "__main__":
    main()
