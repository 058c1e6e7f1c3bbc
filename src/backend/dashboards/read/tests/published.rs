//! Panels of published dashboards, as one reads them in their JSON: file, panel, kind, unit, legend with its values or the reducer,
//! thresholds.

pub(super) const PANELS: &str = "\
argo-cd/dashboard.json|82|TimeSeries|short|hidden|
argo-cd/dashboard.json|94|Stat|none|:lastNotNull|base=green 80=red
argo-cd/dashboard.json|80|TimeSeries|short|table-right:mean:lastNotNull|
dotdc/k8s-views-global.json|46|TimeSeries|none|table-right:min:max:mean|base=green 80=red
dotdc/k8s-views-global.json|44|TimeSeries|binBps|hidden|base=green 80=red
dotdc/k8s-views-global.json|52|TimeSeries|short|table-right:min:max:mean|base=green 80=red
dotdc/k8s-views-pods.json|31|TimeSeries|binBps|list|base=green 80=red
dotdc/k8s-views-pods.json|40|Gauge|percentunit|:last|base=blue 80=#EAB839 99=red
dotdc/k8s-views-pods.json|63|Table|||base=green 1=#EAB839 5=red
ingress-nginx/nginx.json|91|TimeSeries|s|list|base=green 80=red
ingress-nginx/nginx.json|21|Stat|percentunit|:mean|base=rgba(245, 54, 54, 0.9) 95=rgba(237, 129, 40, 0.89) 99=rgba(50, 172, 45, 0.97)
ingress-nginx/nginx.json|75|Table|||base=green 80=red
istio/istio-performance-dashboard.json|19|Words|||
istio/istio-performance-dashboard.json|902|TimeSeries|bytes|list|base=green 80=red
istio/istio-performance-dashboard.json|4|TimeSeries|short|list|base=green 80=red
istio/istio-service-dashboard.json|89|Words|||
istio/istio-service-dashboard.json|98|Stat|percentunit|:lastNotNull|base=rgba(50, 172, 45, 0.97) 95=rgba(237, 129, 40, 0.89) 99=rgba(245, 54, 54, 0.9)
istio/istio-service-dashboard.json|26|TimeSeries|percentunit|list|base=green 80=red
jaeger/dashboard-for-grafana.json|15|TimeSeries|bytes|list|
jaeger/dashboard-for-grafana.json|3|TimeSeries|percentunit|list|
jaeger/dashboard-for-grafana.json|9|TimeSeries|s|list|
keda/keda-dashboard.json|16|StateTimeline|none||base=green
keda/keda-dashboard.json|15|Gauge|short|:lastNotNull|base=green 80=red
keda/keda-dashboard.json|4|TimeSeries|Errors/sec|list|base=green 80=red
kubernetes-mixin/apiserver.json|15|TimeSeries|bytes|list-right|
kubernetes-mixin/apiserver.json|5|TimeSeries|reqps|list-right|
kubernetes-mixin/cluster-total.json|1|TimeSeries|bps|table-right|
kubernetes-mixin/cluster-total.json|3|Table|||
kubernetes-mixin/controller-manager.json|4|TimeSeries|s|table-right:lastNotNull|
kubernetes-mixin/controller-manager.json|3|TimeSeries|short|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-cluster.json|20|TimeSeries|iops|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-cluster.json|12|TimeSeries|bps|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-namespace.json|17|TimeSeries|Bps|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-namespace.json|12|TimeSeries|pps|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-node.json|3|TimeSeries|bytes|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-node.json|1|TimeSeries||table-right:lastNotNull|
kubernetes-mixin/k8s-resources-nodes-overview.json|3|TimeSeries|bytes|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-nodes-overview.json|1|TimeSeries|short|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-pod.json|5|Table|bytes||
kubernetes-mixin/k8s-resources-pod.json|3|Table|||
kubernetes-mixin/k8s-resources-windows-cluster.json|1|Stat|none|:lastNotNull|
kubernetes-mixin/k8s-resources-windows-cluster.json|10|Table|bytes||
kubernetes-mixin/k8s-resources-windows-namespace.json|1|TimeSeries||table-right:lastNotNull|
kubernetes-mixin/k8s-resources-windows-namespace.json|3|TimeSeries|decbytes|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-windows-pod.json|4|Table|bytes||
kubernetes-mixin/k8s-resources-windows-pod.json|3|TimeSeries|decbytes|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-workload.json|3|TimeSeries|bytes|table-right:lastNotNull|
kubernetes-mixin/k8s-resources-workload.json|4|Table|bytes||
kubernetes-mixin/k8s-resources-workloads-namespace.json|4|Table|bytes||
kubernetes-mixin/k8s-resources-workloads-namespace.json|1|TimeSeries||table-right:lastNotNull|
kubernetes-mixin/k8s-windows-cluster-rsrc-use.json|5|TimeSeries|bps|table-right:lastNotNull|
kubernetes-mixin/k8s-windows-cluster-rsrc-use.json|3|TimeSeries|short|table-right:lastNotNull|
mixins/alertmanager-overview.json|2|TimeSeries|none|hidden|
mixins/alertmanager-overview.json|3|TimeSeries|ops|hidden|
mixins/alertmanager-overview.json|6|TimeSeries|s|hidden|
mixins/argocd-overview.json|71|Gauge|bytes|:lastNotNull|base=green 80=red
mixins/argocd-overview.json|94|Stat|none|:lastNotNull|base=green 80=red
mixins/argocd-overview.json|32|Stat|dtdurations|:lastNotNull|base=green 80=red
mixins/blackbox-exporter.json|8|Stat|percentunit|:mean|base=red 0.99=yellow 0.999=green
mixins/blackbox-exporter.json|6|Stat|s|:lastNotNull|base=green
mixins/blackbox-exporter.json|11|Stat|short|:lastNotNull|base=green 300=blue 400=yellow 500=red
mixins/cert-manager-overview.json|9|Table|none||base=green 80=red
mixins/cert-manager-overview.json|7|TimeSeries|reqps|list|base=green 80=red
mixins/cert-manager-overview.json|12|TimeSeries|percentunit|list|base=green 80=red
mixins/coredns.json|4|TimeSeries|ops|list|
mixins/coredns.json|11|TimeSeries|short|list|
mixins/coredns.json|13|TimeSeries|bytes|list|
mixins/etcd.json|4|TimeSeries|bytes|list|
mixins/etcd.json|1|Stat||:lastNotNull|
mixins/etcd.json|2|TimeSeries|ops|list|
mixins/go-runtime.json|4|TimeSeries|s|list|base=green 80=red
mixins/go-runtime.json|20|TimeSeries|short|list|base=green 80=red
mixins/go-runtime.json|14|TimeSeries|Bps|list|base=green 80=red
mixins/grafana-overview.json|6|Stat||:mean|base=green 80=red
mixins/grafana-overview.json|2|TimeSeries|reqps|list|base=green 80=red
mixins/grafana-overview.json|10|Table|||base=green 80=red
mixins/mysql-overview.json|92|TimeSeries|short|table:min:max:mean|
mixins/mysql-overview.json|50|TimeSeries|short|table-right:min:max:mean|
mixins/mysql-overview.json|51|Stat|bytes|:mean|base=rgba(50, 172, 45, 0.97) 90=rgba(237, 129, 40, 0.89) 95=rgba(245, 54, 54, 0.9)
mixins/nginx-logs.json|2|TimeSeries|short|list|base=green 80=red
mixins/nginx-logs.json|31|Stat|short|:sum|base=semi-dark-orange
mixins/nginx-logs.json|22|Stat||:mean|base=purple
mixins/nginx-metrics.json|4|TimeSeries|none|list|base=green 80=red
mixins/nginx-metrics.json|1|Stat|none|:lastNotNull|base=green 80=red
mixins/node-cluster-rsrc-use.json|2|TimeSeries|percentunit|hidden|
mixins/node-cluster-rsrc-use.json|6|TimeSeries|rds|hidden|
mixins/node-cluster-rsrc-use.json|8|TimeSeries|Bps|hidden|
mixins/node-rsrc-use.json|2|TimeSeries|percentunit|hidden|
mixins/node-rsrc-use.json|6|TimeSeries|rds|hidden|
mixins/node-rsrc-use.json|8|TimeSeries|Bps|hidden|
mixins/nodes-aix.json|8|TimeSeries||list|
mixins/nodes-aix.json|2|TimeSeries|percentunit|list|
mixins/nodes-aix.json|6|Gauge|percent|:lastNotNull|base=rgba(50, 172, 45, 0.97) 80=rgba(237, 129, 40, 0.89) 90=rgba(245, 54, 54, 0.9)
mixins/prometheus-remote-write.json|15|TimeSeries|none|list|
mixins/prometheus-remote-write.json|2|TimeSeries|short|list|
mixins/prometheus-remote-write.json|18|TimeSeries||list|
mixins/prometheus.json|5|TimeSeries|short|list|
mixins/prometheus.json|4|TimeSeries|ms|list|
mixins/prometheus.json|2|Table|short||
node-exporter-full/node-exporter-full.json|302|TimeSeries|bool_yes_no|table:min:mean:max|base=green 80=red
node-exporter-full/node-exporter-full.json|14|Stat|short|:lastNotNull|base=green
node-exporter-full/node-exporter-full.json|333|TimeSeries|hertz|table:min:mean:max|base=green
otel-demo/apm-dashboard.json|19|TimeSeries|reqps|list|base=green 80=red
otel-demo/apm-dashboard.json|40|AlertList|||
otel-demo/apm-dashboard.json|20|Words|||
otel-demo/spanmetrics-dashboard.json|10|BarGauge|ms|:mean|base=green 80=red
otel-demo/spanmetrics-dashboard.json|4|BarGauge|reqps|:mean|base=green 1=super-light-blue 2=#EAB839 10=red
otel-demo/spanmetrics-dashboard.json|22|Table|reqps||base=green 80=red
redis-exporter/grafana_prometheus_redis_dashboard.json|20|TimeSeries|s|list|base=green 80=red
redis-exporter/grafana_prometheus_redis_dashboard.json|5|TimeSeries|short|list:lastNotNull|base=green 80=red
redis-exporter/grafana_prometheus_redis_dashboard.json|11|Gauge|percent|:lastNotNull|base=rgba(50, 172, 45, 0.97) 80=rgba(237, 129, 40, 0.89) 95=rgba(245, 54, 54, 0.9)
slo/detail.json|6|TimeSeries|percentunit|hidden|base=dark-red 0=green
slo/detail.json|7|Stat|percentunit|:last|base=dark-red
slo/detail.json|4|TimeSeries|reqps|hidden|base=green 80=red
slo/list.json|2|Table|||base=green 80=red
slo/slo_dashboard.json|22|TimeSeries|percent|table:lastNotNull|
slo/slo_dashboard.json|16|TimeSeries|percentunit|list|
slo/slo_dashboard.json|20|TimeSeries|short|list|
temporal/server-general.json|2|TimeSeries|short|list|
temporal/server-general.json|56|TimeSeries|bytes|list|
temporal/server-general.json|68|TimeSeries||list|
";
