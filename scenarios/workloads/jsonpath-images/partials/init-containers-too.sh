# score: 40
# Whatever is called image, that of an init container too.
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace \
  -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec..image}{"\n"}{end}' > /home/candidate/images.txt
