"""What everything rests on: errors, registry, version, the shape of an equation."""
