"""The two-scale system (2.4) of gualdani2025: near field and far field of a hot spot."""
