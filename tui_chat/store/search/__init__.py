"""Full text of all sessions: what is asked for, an index that can be made anew, and reading without one."""
