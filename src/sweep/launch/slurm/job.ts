/** Which task of Slurm this process is, by the variables that Slurm gives it. */

export function slurmJob(environment: NodeJS.ProcessEnv): { job: string; restarts: number } | undefined {
  const { SLURM_JOB_ID, SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_CLUSTER_NAME, SLURM_RESTART_COUNT } =
    environment;
  if (!SLURM_JOB_ID) return undefined;
  const task = SLURM_ARRAY_JOB_ID ? `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}` : SLURM_JOB_ID;
  return { job: `${SLURM_CLUSTER_NAME ?? ''}:${task}`, restarts: Number(SLURM_RESTART_COUNT ?? 0) };
}
