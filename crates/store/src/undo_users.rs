//! Users whom a job has still to undo.

use directory::{JobId, UserPk};

use crate::{ReadTx, StoreError, WriteTx, args, sql};

impl ReadTx<'_> {
    /// The next users, in the order of their numbers.
    pub fn users_to_undo(&self, job: JobId, limit: i64) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT user_pk FROM job_user WHERE job_pk = $1 ORDER BY user_pk LIMIT $2",
            args![job, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Notes users, each of whom is named once.
    pub fn insert_users_to_undo(&self, job: JobId, users: &[UserPk]) -> Result<(), StoreError> {
        for chunk in sql::chunks(users.iter().map(|user| user.0)) {
            let rows: Vec<String> = (0..chunk.len())
                .map(|n| format!("($1, ${})", n + 2))
                .collect();
            let statement = format!(
                "INSERT INTO job_user (job_pk, user_pk) VALUES {}",
                rows.join(", ")
            );
            let mut arguments = args![job];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.execute(&statement, arguments)?;
        }
        Ok(())
    }

    /// Notes that users up to one are undone.
    pub fn delete_users_to_undo(&self, job: JobId, upto: UserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM job_user WHERE job_pk = $1 AND user_pk <= $2",
            args![job, upto],
        )?;
        Ok(())
    }
}
