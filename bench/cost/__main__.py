"""`python -m bench.cost`: write docs/cost.md."""

from bench.cost.page import PAGE, page
from local.stack import ROOT

PAGE.write_text(page())
print(f"cost: wrote {PAGE.relative_to(ROOT)}")
