# shellcheck shell=dash
# service-stop: a service is stopped through its supervisor, and started again afterwards.

# The longest that a supervisor gives a service to stop is 90 s by default.
PATIENCE=100

service_do() {
  if [ "$(supervision)" = systemd ]; then
    systemctl "$1" -- "$SSM_Service" 9<&-
  else
    service "$SSM_Service" "$1" 9<&- 3>&-
  fi
}

service_active() {
  if [ "$(supervision)" = systemd ]; then
    systemctl is-active --quiet -- "$SSM_Service"
  else
    service "$SSM_Service" status >/dev/null 2>&1 9<&- 3>&-
  fi
}

fault_check() {
  case $SSM_Service in
    amazon-ssm-agent* | snap.amazon-ssm-agent* | dbus* | stormdrill-*)
      refuse protected "without $SSM_Service nobody could put it back"
      ;;
  esac
  [ "$(supervision)" = systemd ] || have service || refuse no-service "this host has neither systemd nor the service command"
  service_active || refuse not-active "service $SSM_Service is not active"
}

fault_apply() {
  saved='{"active":true}'
  : >"$unit_dir/was-active"
  service_do stop >/dev/null 2>&1 || { problem=not-stopped detail="could not stop service $SSM_Service" && return 1; }
}

fault_landed() {
  detail="service $SSM_Service is still active"
  ! service_active || return 1
  detail="service $SSM_Service is inactive"
  evidence='{"active":false}'
}

fault_undo() {
  [ -e "$unit_dir/was-active" ] || return 0
  service_active || service_do start >/dev/null 2>&1 || { problem="could not start service $SSM_Service" && return 1; }
}

fault_gone() {
  [ ! -e "$unit_dir/was-active" ] || service_active
}
