"""What a job is: its events, their merge, its row, what a change of it announces. Pure: no clock, no AWS, no HTTP."""
