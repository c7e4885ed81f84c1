# A module that is loaded, but whose device is missing, is said to be that.
# kernels: 6.1 6.12
# slow: 6.1
minor=$(sed -n 's/^ *\([0-9]*\) nestrace$/\1/p' /proc/misc)
setup mv /dev/nestrace /dev/elsewhere
for command in status "record -o t.dat true" "stat true"; do
	nestrace $command > out 2> err
	ok "nestrace $command: a device that is missing is said to be that" \
		grep -q "the module is loaded, but its device is not here: '/dev/nestrace'" err
	ok "nestrace $command: the remedy has the number of the device" \
		grep -q "mknod /dev/nestrace c 10 $minor, .*--device /dev/nestrace" err
done
ok "a device that is missing: no file is left" sh -c '! ls -A | grep -q t.dat'
setup $(sed -n 's/.*with \(mknod [^,]*\),.*/\1/p' err)
ok "the remedy works" nestrace status
setup rm /dev/nestrace
setup mknod /dev/nestrace c 10 254
nestrace status 2> err
ok "a device with the number of another is said to be that" grep -q "its device is not that file: '/dev/nestrace'; .* c 10 $minor" err
setup rm /dev/nestrace
setup rmmod nestrace
nestrace status 2> err
ok "without the module, the message says how to load it" grep -q "the module is not loaded" err
