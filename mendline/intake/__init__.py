"""Reading one pasted line into a report. Pure: what the network knows is passed in, and so is the time."""
