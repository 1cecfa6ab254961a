"""Fault injection into real processes, and a checker that proves that nothing was lost."""
