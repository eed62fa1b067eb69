"""How large an uploaded table may be, and what reading it may cost. Numbers only: the reading process imports no more.

Measured with 20,000 rows of 30 columns (numbers, addresses, telephones, days): 4.3 MB packed, 30 MB unpacked, a ratio
of 7 (18 when every cell says the same), an answer of 14 MB; the child takes 2 to 3 s of the processor and 170 MB. So
each limit is met with room for a machine of half the speed. Thirty long addresses in each of 20,000 rows (75 MB
unpacked) are too much, and the sentence says to split the file.
"""

MOST_FILE_BYTES = 10_000_000
MOST_ROWS = 20_000  # below the heading
MOST_COLUMNS = 200
MOST_UNPACKED_BYTES = 50_000_000
MOST_RATIO = 100  # unpacked to packed
MOST_FILES_INSIDE = 1_000
# What the child may hand back. One text that a million cells point to is small in the file and large here, and it is
# the web process that has to hold it.
MOST_ANSWER_BYTES = 30_000_000
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20
WALL_SECONDS = 20
