# The examples of the manual pages run as they stand; help fits a screen.
# kernels: 6.12
# programs: tmux
export LANG=C.UTF-8
for page in /tests/*.1; do
	sed -n '/^.SH EXAMPLES/,/^.fi/p' "$page" | sed '1,2d; $d' > example
	ok "$(basename "$page") has an example" test -s example
	if [ "$page" = /tests/nestrace-top.1 ]; then
		tmux -u new-session -d 'sh -e example; echo $? > top'
		ok "and it shows functions" within_a_minute sh -c 'tmux capture-pane -p | grep -q " vfs_"'
		tmux send-keys q
		ok "and ends" within_a_minute grep -qx 0 top
		continue
	fi
	ok "and it runs" sh -e example
done
for command in record report export stat top status list arm disarm bench; do
	nestrace $command --help > help
	is "nestrace $command --help" $? 0
	ok "fits a screen" test "$(wc -l < help)" -le 24
	is "in width too" "$(awk 'length > 80' help)" ""
done
nestrace --help > help
is "nestrace --help" $? 0
ok "fits a screen" test "$(wc -l < help)" -le 24
is "in width too" "$(awk 'length > 80' help)" ""
