"""Checks of duerinckx2023: the Lenard-Balescu equation with smooth interactions."""
