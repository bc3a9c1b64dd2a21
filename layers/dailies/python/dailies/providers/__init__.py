"""One file tells all about one provider. Adding one: CONTRIBUTING.md."""
