# Make a recording for tests/bench/report: all functions of processes under load and of the
# interrupts that arrive meanwhile. The file leaves the guest on stdout.
# kernels: 6.12
mkdir a b
nestrace record -F -c -b 65536 -o t.dat sh -c '. /tests/lib.sh
	(sleep 2; touch a/stop b/stop) & load a & load b & wait' >&2
ok "nestrace record writes a file" test -s t.dat
echo begin
gzip -c t.dat | base64
echo end
