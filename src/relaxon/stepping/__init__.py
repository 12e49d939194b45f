"""Time stepping, ignorant of the equation that it advances."""
