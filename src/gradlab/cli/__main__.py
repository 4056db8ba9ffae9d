"""`python -m gradlab.cli`."""

import sys

from gradlab.cli.start import main

sys.exit(main())
