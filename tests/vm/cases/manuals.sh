# The examples of the manual pages run as they stand; help fits a screen.
# kernels: 6.12
for page in /tests/*.1; do
	sed -n '/^.SH EXAMPLES/,/^.fi/p' "$page" | sed '1,2d; $d' > example
	ok "$(basename "$page") has an example" test -s example
	ok "and it runs" sh -e example
done
for command in record report export stat status list arm disarm bench; do
	nestrace $command --help > help
	is "nestrace $command --help" $? 0
	ok "fits a screen" test "$(wc -l < help)" -le 24
	is "in width too" "$(awk 'length > 80' help)" ""
done
nestrace --help > help
is "nestrace --help" $? 0
ok "fits a screen" test "$(wc -l < help)" -le 24
is "in width too" "$(awk 'length > 80' help)" ""
