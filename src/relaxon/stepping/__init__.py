"""Time stepping: one module a scheme, all behind the same protocol."""
