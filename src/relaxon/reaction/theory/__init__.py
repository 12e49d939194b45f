"""Linear theory of the reaction model: spectrum, hypocoercive rates, modified entropies."""
