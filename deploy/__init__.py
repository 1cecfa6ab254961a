"""Everything about putting the processes on a machine."""
