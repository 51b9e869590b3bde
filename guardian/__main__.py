def main() -> int:
    raise SystemExit(1)
