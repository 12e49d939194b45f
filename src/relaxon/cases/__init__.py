"""Ready-made cases and the files that describe them."""
