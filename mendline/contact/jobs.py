"""Jobs of the queue itself."""

from __future__ import annotations

import logging

from django.db import connection
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from mendline.orders.attachments import put_strays_aside

logger = logging.getLogger(__name__)

# A worker says every 10 s that it lives (the library's default); three missed times mean that it does not.
DEAD_AFTER_SECONDS = 30.0


@app.periodic(cron="* * * * *")
@app.task(queue="upkeep", pass_context=True, queueing_lock="retry_stalled_jobs")
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Give the jobs of a worker that was killed back to the queue; nobody else does.

    So every job may be carried out twice and must be harmless the second time.
    """
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        logger.warning("job %s (%s) was left by a dead worker; trying it again", job.id, job.task_name)
        try:
            await context.app.job_manager.retry_job(job)
        except UniqueViolation:  # the same work waits already
            await context.app.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)


@app.periodic(cron="17 3 * * *")
@app.task(queue="upkeep", pass_context=True, queueing_lock="remove_finished_jobs")
async def remove_finished_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that ended more than 30 days ago, however they ended (successful ones go at once)."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=30 * 24, include_failed=True, include_cancelled=True, include_aborted=True
    )


@app.periodic(cron="47 3 * * *")
@app.task(queue="upkeep", pass_context=True, queueing_lock="put_stray_files_aside")
def put_stray_files_aside(context: JobContext, timestamp: int) -> None:
    """Clear away stored files that no order names: what an upload left whose transaction failed."""
    try:
        moved = put_strays_aside(timezone.now())
    finally:
        connection.close()  # of this thread, which ends with the job
    if moved:
        logger.warning("%s files that no order names were put aside into lost/", moved)
