# Real servers with their real exporters, for the tests of packs; tests/run reads this file.
#
# tests/run installs Debian's where it may; what is not there is left out, and its tests skip themselves. All of them listen on loopback and keep their files in
# $work. Some exporters are given a server that does not exist: those are dead behind a living exporter.

PATH=$PATH:/usr/local/sbin:/usr/sbin # servers are there, though not everybody's shell looks there

# Commands with the packages of Debian and Ubuntu that have them.
exporter_commands='
  haproxy=haproxy nginx=nginx redis-server=redis-server apache2=apache2-bin
  prometheus-node-exporter=prometheus-node-exporter prometheus-nginx-exporter=prometheus-nginx-exporter
  prometheus-redis-exporter=prometheus-redis-exporter prometheus-apache-exporter=prometheus-apache-exporter
  prometheus-blackbox-exporter=prometheus-blackbox-exporter prometheus-mysqld-exporter=prometheus-mysqld-exporter
  prometheus-postgres-exporter=prometheus-postgres-exporter'

# missing_exporters: the packages of the commands that are not there
missing_exporters() {
  local pair
  for pair in $exporter_commands; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || printf '%s\n' "${pair#*=}"
  done
}

exporters=() # the jobs that run, one word each
scrapes=     # their entries in the configuration of Prometheus

# job NAME PORT [LABEL: VALUE, ...]
job() {
  exporters+=("$1")
  scrapes="$scrapes
  - { job_name: $1, static_configs: [{ targets: ['127.0.0.1:$2'], labels: {${3:-}} }] }"
}

listens() { { exec 3<>"/dev/tcp/127.0.0.1/$1" && exec 3>&-; } 2>/dev/null; }
shows() { answers "$1" /metrics '^# TYPE'; }

has() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null 2>&1 || { say "no $name: its pack is not tried on the real one"; return 1; }
  done
}

# of_root LINE: for a server that changes its user when root starts it
of_root() { if [ "$(id -u)" = 0 ]; then printf '%s\n' "$1"; fi; }

start_node() {
  has prometheus-node-exporter || return 0
  ready_when=shows start node prometheus-node-exporter --web.listen-address=127.0.0.1:PORT --collector.disable-defaults \
    --collector.cpu --collector.meminfo --collector.filesystem --collector.timex --collector.loadavg --collector.filefd \
    --collector.netdev --collector.vmstat --collector.uname || return 0
  job node "$port"
}

start_haproxy() { # PORT of a living server
  has haproxy || return 0
  cat >"$work/haproxy.cfg" <<CFG
global
  maxconn 200
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  default-server inter 200ms fall 1 rise 1
frontend web
  bind 127.0.0.1:HAPROXY
  http-request use-service prometheus-exporter if { path /metrics }
  use_backend alldead if { path /alldead }
  default_backend app
backend app
  server app1 127.0.0.1:$1 check maxconn 50
  server app2 127.0.0.1:1 check
  server app3 127.0.0.1:1 check disabled
backend alldead
  server dead1 127.0.0.1:1 check
backend roomy
  server roomy1 127.0.0.1:$1 check
  server roomy2 127.0.0.1:1 check disabled
backend resting
  server resting1 127.0.0.1:1 check disabled
CFG
  ready_when=shows start haproxy sh -c 'sed "s/HAPROXY/$1/" "$2/haproxy.cfg" >"$2/haproxy-$1.cfg" && exec haproxy -db -f "$2/haproxy-$1.cfg"' \
    - PORT "$work" || return 0
  job haproxy "$port" 'service: edge, namespace: shop'
}

start_nginx() {
  has nginx prometheus-nginx-exporter || return 0
  mkdir -p "$work/nginx"
  cat >"$work/nginx.conf" <<CFG
$(of_root 'user root;')
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $work/nginx/body;
  proxy_temp_path $work/nginx/proxy;
  fastcgi_temp_path $work/nginx/fastcgi;
  uwsgi_temp_path $work/nginx/uwsgi;
  scgi_temp_path $work/nginx/scgi;
  server { listen 127.0.0.1:NGINX; location /status { stub_status; } location / { return 200 'ok'; } }
}
CFG
  ready_when=listens start nginx sh -c 'sed "s/NGINX/$1/" "$2/nginx.conf" >"$2/nginx-$1.conf" && exec nginx -c "$2/nginx-$1.conf"' \
    - PORT "$work" || return 0
  ready_when=shows start nginx_exporter prometheus-nginx-exporter -web.listen-address=127.0.0.1:PORT \
    "-nginx.scrape-uri=http://127.0.0.1:$port/status" || return 0
  job nginx "$port"
}

start_redis() {
  has redis-server prometheus-redis-exporter || return 0
  ready_when=listens start redis redis-server --port PORT --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
    --maxmemory 8mb --maxmemory-policy noeviction || return 0
  local master=$port
  ready_when=listens start replica redis-server --port PORT --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
    --replicaof 127.0.0.1 "$master" || return 0
  local replica=$port
  ready_when=shows start redis_exporter prometheus-redis-exporter --web.listen-address=127.0.0.1:PORT \
    "--redis.addr=redis://127.0.0.1:$master" || return 0
  job redis "$port"
  ready_when=shows start replica_exporter prometheus-redis-exporter --web.listen-address=127.0.0.1:PORT \
    "--redis.addr=redis://127.0.0.1:$replica" || return 0
  job redis-replica "$port"
  # 20 writes a second, which are replicated, and none of the reads that a user would make of a replica
  bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && while sleep 0.05; do printf "SET key value\r\n" >&3 && read -r -u 3 _; done' - "$master" \
    </dev/null >/dev/null 2>&1 &
  started+=("$!")
}

start_apache() {
  local modules=/usr/lib/apache2/modules
  has apache2 prometheus-apache-exporter || return 0
  cat >"$work/apache.conf" <<CFG
ServerName localhost
Listen 127.0.0.1:APACHE
PidFile $work/apache.pid
ErrorLog $work/apache.log
DefaultRuntimeDir $work
$(of_root 'User www-data')
$(of_root 'Group www-data')
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule status_module $modules/mod_status.so
ExtendedStatus On
<Location /server-status>
  SetHandler server-status
</Location>
CFG
  ready_when=listens start apache sh -c 'sed "s/APACHE/$1/" "$2/apache.conf" >"$2/apache-$1.conf" && exec apache2 -f "$2/apache-$1.conf" -DFOREGROUND' \
    - PORT "$work" || return 0
  ready_when=shows start apache_exporter prometheus-apache-exporter --telemetry.address=127.0.0.1:PORT \
    "--scrape_uri=http://127.0.0.1:$port/server-status?auto" || return 0
  job apache "$port"
}

start_blackbox() { # PORT of a living server
  has prometheus-blackbox-exporter || return 0
  printf 'modules: { http: { prober: http, timeout: 1s } }\n' >"$work/blackbox.yml"
  ready_when=shows start blackbox prometheus-blackbox-exporter "--config.file=$work/blackbox.yml" \
    --web.listen-address=127.0.0.1:PORT || return 0
  exporters+=(blackbox)
  scrapes="$scrapes
  - job_name: blackbox
    metrics_path: /probe
    params: { module: [http] }
    static_configs: [{ targets: ['http://127.0.0.1:$1/-/ready', 'http://127.0.0.1:1/checkout'] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: '127.0.0.1:$port' }"
}

# Exporters whose server is not there.
start_dead() {
  if has prometheus-redis-exporter && ready_when=shows start dead_redis prometheus-redis-exporter \
    --web.listen-address=127.0.0.1:PORT --redis.addr=redis://127.0.0.1:1; then job dead-redis "$port"; fi
  if has prometheus-apache-exporter && ready_when=shows start dead_apache prometheus-apache-exporter \
    --telemetry.address=127.0.0.1:PORT '--scrape_uri=http://127.0.0.1:1/server-status?auto'; then job dead-apache "$port"; fi
  if has prometheus-mysqld-exporter && ready_when=shows start dead_mysql env 'DATA_SOURCE_NAME=nobody:x@(127.0.0.1:1)/' \
    prometheus-mysqld-exporter --web.listen-address=127.0.0.1:PORT; then job dead-mysql "$port"; fi
  if has prometheus-postgres-exporter && ready_when=shows start dead_postgres env \
    'DATA_SOURCE_NAME=postgresql://nobody:x@127.0.0.1:1/postgres?sslmode=disable' \
    prometheus-postgres-exporter --web.listen-address=127.0.0.1:PORT; then job dead-postgres "$port"; fi
}

# start_exporters PORT: all that can be had, and a Prometheus that scrapes them; PORT is of a living server.
start_exporters() {
  local living=$1
  start_node
  start_haproxy "$living"
  start_nginx
  start_redis
  start_apache
  start_blackbox "$living"
  start_dead
  [ ${#exporters[@]} -gt 0 ] || return 0
  printf 'global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:%s\n' "$scrapes" >"$work/exporters.yml"
  start exporters_prometheus "$prometheus" "--config.file=$work/exporters.yml" "--storage.tsdb.path=$work/exporters" \
    --web.listen-address=127.0.0.1:PORT --log.level=warn || return 0
  # what is found first is kept for a while, also that there is nothing
  until_true "the exporters are scraped" answers "$port" '/api/v1/query?query=count(up)' "\"${#exporters[@]}\"\|\"$((${#exporters[@]} + 1))\"" || return 0
  export BURNWATCH_TEST_EXPORTERS="http://127.0.0.1:$port"
  export BURNWATCH_TEST_EXPORTER_JOBS="${exporters[*]}"
  say "real exporters (${exporters[*]}) at $BURNWATCH_TEST_EXPORTERS"
}
