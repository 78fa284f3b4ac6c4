ln -s "$ROOT/Fixtures" Fixtures
