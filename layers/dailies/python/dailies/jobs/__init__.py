"""What a job is: its events, their merge, its rows, the announcements of a change. Pure: no clock, no AWS, no HTTP."""
