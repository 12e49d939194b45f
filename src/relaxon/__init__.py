"""relaxon: relaxation to equilibrium in kinetic theory."""

import jax

jax.config.update("jax_enable_x64", True)
