"""Collision operators: from a distribution to its diffusion tensor, friction and rate."""
