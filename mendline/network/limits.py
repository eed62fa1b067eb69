"""How large an uploaded table may be. Numbers only: the reading process imports nothing else of ours."""

MOST_FILE_BYTES = 10_000_000
MOST_ROWS = 20_000  # below the heading
MOST_COLUMNS = 200
MOST_UNPACKED_BYTES = 100_000_000
MOST_FILES_INSIDE = 1_000
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20
WALL_SECONDS = 60
