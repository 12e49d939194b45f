"""Collision operators linearised about a Maxwellian, and their semigroups."""
