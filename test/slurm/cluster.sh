#!/usr/bin/env bash
# A whole Slurm on this machine, for tests: `cluster.sh start FOLDER` and `cluster.sh stop FOLDER`. Two nodes of one slot each (two
# slurmd of their own names), munge with a key of its own, no accounting, no cgroups, no systemd. Needs root and the
# packages slurm-wlm and munge. Afterwards SLURM_CONF=FOLDER/slurm.conf is all that sbatch and its kin need.
set -euo pipefail
command=$1
folder=$(realpath -m "$2")

# Daemons of this folder that still run; a number that meanwhile belongs to somebody else is left alone.
pids() {
  for file in "$folder"/run/*.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    case $(cat "/proc/$pid/comm" 2>/dev/null) in munged | slurmctld | slurmd) echo "$pid" ;; esac
  done
}

stop() {
  for pid in $(pids); do kill "$pid" 2>/dev/null || true; done
  for _ in $(seq 50); do
    if [ -z "$(pids)" ]; then return; fi
    sleep 0.1
  done
  for pid in $(pids); do kill -9 "$pid" 2>/dev/null || true; done
}

# Three free ports below those that outgoing connections take.
ports() {
  node -e '
    const net = require("node:net");
    const free = (port) => new Promise((done) => {
      const server = net.createServer().once("error", () => done(false));
      server.listen(port, () => server.close(() => done(true)));
    });
    (async () => {
      const found = [];
      while (found.length < 3) {
        const port = 10000 + Math.floor(Math.random() * 20000);
        if (!found.includes(port) && (await free(port))) found.push(port);
      }
      console.log(found.join(" "));
    })()'
}

start() {
  rm -rf "$folder"
  mkdir -p "$folder"/{run,log,state,spool-one,spool-two}
  chmod 755 "$folder"
  host=$(hostname -s)
  dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
  chmod 600 "$folder/munge.key"
  munged --force --key-file="$folder/munge.key" --socket="$folder/run/munge.socket" --pid-file="$folder/run/munged.pid" \
    --log-file="$folder/log/munged.log" --seed-file="$folder/munge.seed"
  read -r port1 port2 port3 < <(ports)
  cat >"$folder/slurm.conf" <<CONF
ClusterName=perflaw
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port1
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits as long as a credential lives: 120 s where nothing is said.
AuthInfo=socket=$folder/run/munge.socket,cred_expire=3
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
# Chunks of arrays are tested with few jobs.
MaxArraySize=8
InactiveLimit=0
KillWait=10
MinJobAge=600
SlurmctldTimeout=60
SlurmdTimeout=60
ReturnToService=2
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 Port=$port2 CPUs=1 RealMemory=2000
NodeName=two NodeHostname=$host NodeAddr=127.0.0.1 Port=$port3 CPUs=1 RealMemory=2000
PartitionName=main Nodes=one,two Default=YES MaxTime=60 State=UP
CONF
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld -c
  for node in one two; do slurmd -N "$node"; done
  for _ in $(seq 60); do
    if [ "$(timeout 5 sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; then return; fi
    sleep 0.5
  done
  echo 'Slurm did not come up:' >&2
  for log in "$folder"/log/*.log; do tail -n 5 "$log" >&2; done
  stop
  return 1
}

"$command"
