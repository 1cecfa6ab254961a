"""Real processes under fire, and a checker that proves that nothing was lost."""
