"""Collision operators: from a distribution to its diffusion, friction and rate of change."""
