"""The numbers of a run that a reader looks for first; from saved results only."""
