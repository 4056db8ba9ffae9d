"""`python -m gradlab.cli`."""

import sys

from gradlab.cli.app import main

sys.exit(main())
