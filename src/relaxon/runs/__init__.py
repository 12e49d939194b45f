"""One run, from the question to the directory and back."""
