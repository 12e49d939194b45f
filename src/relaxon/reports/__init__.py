"""What a reader sees of a run or of verdicts: figures, headline numbers, pages."""
