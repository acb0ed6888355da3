"""Runs the exporter by a clock that is ahead, so that a UTC day ends while somebody looks.

python -m tests.stack.exporter_ahead SECONDS [arguments of exporter]
"""

import sys
import time

if __name__ == "__main__":
    ahead, of_this_machine = float(sys.argv[1]), time.time
    time.time = lambda: of_this_machine() + ahead

    from exporter.__main__ import main  # it takes its clock when it is imported

    sys.exit(main(sys.argv[2:]))
