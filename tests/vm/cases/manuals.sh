# The examples of the manual pages run as they are. The help texts fit a screen.
# kernels: 6.12
# programs: tmux trace-cmd
export LANG=C.UTF-8
setup mkdir -p /run
# trace-cmd listen looks up the name of the client
setup sh -c 'echo 127.0.0.1 localhost > /etc/hosts'
for page in /tests/*.1; do
	sed -n '/^.SH EXAMPLES/,/^.fi/p' "$page" | sed '1,2d; $d' > example
	page_name=$(basename "$page")
	ok "$page_name: it has an example" test -s example
	if [ "$page" = /tests/nestrace-top.1 ]; then
		setup tmux -u new-session -d 'sh -e example; echo $? > top'
		ok "$page_name: the example shows functions" within_a_minute sh -c 'tmux capture-pane -p | grep -q " vfs_"'
		tmux send-keys q
		ok "$page_name: the example ends with q" within_a_minute grep -qx 0 top
		continue
	fi
	ok "$page_name: the example runs" sh -e example
done
for command in record report restore send snapshot export stat top status list diff audit assert livepatch events doctor bench; do
	nestrace $command --help > help
	is "nestrace $command --help succeeds" $? 0
	ok "nestrace $command --help: it has at most 24 lines" test "$(wc -l < help)" -le 24
	is "nestrace $command --help: no line is longer than 80 characters" "$(awk 'length > 80' help)" ""
done
nestrace --help > help
is "nestrace --help succeeds" $? 0
ok "nestrace --help: it has at most 24 lines" test "$(wc -l < help)" -le 24
is "nestrace --help: no line is longer than 80 characters" "$(awk 'length > 80' help)" ""
