# patients.sh: $patients, an extended expression for what the phantoms of `nodule synth` are called by: names,
# ids, dates of studies, UIDs. Sourced from the project's root.
patients='PHANTOM\^|(^|[^[:alnum:]])p0[0-9]{3}($|[^[:alnum:]])|2\.25\.[0-9]{12}'
patients="$patients"'|(^|[^[:xdigit:].-])202[0-5](-?)[01][0-9]\4[0-3][0-9]($|[^[:xdigit:]T])'
