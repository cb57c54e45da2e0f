using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>What stands in the way of a complete capture.</summary>
internal static class CaptureChecks
{
    private const int NamedAtMost = 20;

    /// <summary>Every relation that cannot be read as a whole.</summary>
    public static IReadOnlyList<Problem> Blockers(PsqlSession session, PostgresCatalogue catalogue)
    {
        string user = SqlText.Identifier(session.User);
        string source = session.Connection.Source;
        string role = session.Login == session.User || session.Connection.ChoosesRole ? ""
            : $"; a setting makes user {SqlText.Identifier(session.Login)} act as role {user} (ALTER ROLE … SET role, or ALTER DATABASE … SET role): RESET it, or give the role the right";
        List<Problem> problems =
        [
            .. catalogue.Locked.Concat(catalogue.Sequences).Where(static r => !r.Readable).Select(r => new Problem(
                ErrorCodes.PostgresPermissionDenied,
                $"user {user} may not read {(r.Kind == 'S' ? "sequence" : "table")} {r.DisplayName} in {session.Connection.Target}",
                $"GRANT pg_read_all_data TO {user} (PostgreSQL 14 and later), or grant USAGE on the schema and SELECT on {r.DisplayName}{role}",
                source)),
            .. catalogue.Tables.Where(static r => r.Readable && r.HidesRows).Select(r => new Problem(
                ErrorCodes.PostgresPermissionDenied,
                $"row security may hide rows of table {r.DisplayName} from user {user} in {session.Connection.Target}",
                $"ALTER ROLE {user} BYPASSRLS, or connect as the table's owner or a superuser{role}",
                source)),
        ];
        if (problems.Count <= NamedAtMost)
            return problems;
        int more = problems.Count - NamedAtMost;
        Problem last = problems[NamedAtMost];
        return [.. problems.Take(NamedAtMost),
            last with { Message = $"and {more} more tables or sequences that user {user} may not read" }];
    }

    /// <summary>What a snapshot would lack although it can be made.</summary>
    public static IEnumerable<Problem> Warnings(PsqlSession session, PostgresCatalogue catalogue)
    {
        string source = session.Connection.Source;
        if (!catalogue.MayReadRolePasswords)
            yield return new Problem(
                ErrorCodes.PostgresRolePasswordsLeftOut,
                $"user {SqlText.Identifier(session.User)} may not read role passwords: the snapshot has the roles without them",
                "connect as a superuser to have them in the snapshot; otherwise set them again after a restore on another server",
                source);
        if (catalogue.CollationVersion is ({ } recorded, { } actual) && recorded != actual)
            yield return new Problem(
                ErrorCodes.PostgresCollationVersion,
                $"{session.Connection.Target} was made with version {recorded} of its locale, and the server has version {actual}: its indexes on texts may be out of order",
                "run REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION; the snapshot itself is right, since indexes are built anew",
                source);
        string[] outdated =
        [
            .. catalogue.Collations.Where(static used => used.Actual is not null && used.Actual != used.Captured.Version)
                .Select(static used => $"{used.Captured.QuotedName} ({used.Captured.Version}, now {used.Actual})"),
        ];
        if (outdated.Length > 0)
            yield return new Problem(
                ErrorCodes.PostgresCollationVersion,
                $"{session.Connection.Target} has collations that were made with another version than the server has now: {string.Join(", ", outdated)}; "
                + "indexes on texts that use them may be out of order",
                "reindex what uses them, then ALTER COLLATION … REFRESH VERSION; the snapshot itself is right, since indexes are built anew",
                source);
        foreach (string view in catalogue.SelfReadingViews)
            yield return new Problem(
                ErrorCodes.PostgresNotRestorable,
                $"view {view} of {session.Connection.Target} selects from itself: no query can read it, and no restore can make it",
                $"DROP VIEW {view}, or give it the query that it should have (CREATE OR REPLACE VIEW); until then this snapshot cannot be restored",
                source);
        foreach ((string mapped, string server) in catalogue.HiddenUserMappings)
            yield return new Problem(
                ErrorCodes.PostgresDataLeftOut,
                $"the options of the user mapping for {SqlText.Identifier(mapped)} at server {SqlText.Identifier(server)}, if there are any, may not be read: the snapshot has it without",
                "connect as a superuser to have them, or set them again after a restore (ALTER USER MAPPING)",
                source);
        foreach (AddedMember member in catalogue.AddedToExtensions)
            yield return new Problem(
                ErrorCodes.PostgresDataLeftOut,
                $"{member.Kind} {member.DisplayName} was made a member of extension {member.Extension}, and CREATE EXTENSION does not make it: "
                + "the snapshot has neither its definition nor what is in it",
                $"ALTER EXTENSION {SqlText.Identifier(member.Extension)} DROP {member.Kind.ToUpperInvariant()} {member.DisplayName} takes it out of the extension, and leaves it as it is; then back up again",
                source);
        foreach (CatalogueRelation table in catalogue.ForeignTables)
            yield return new Problem(
                ErrorCodes.PostgresDataLeftOut,
                $"the rows of foreign table {table.DisplayName} are kept by another server: the snapshot has the table's definition alone",
                "back the other server up as a source of its own",
                source);
        foreach (CatalogueRelation table in catalogue.Tables.Where(t => t.Unlogged && session.InRecovery))
            yield return new Problem(
                ErrorCodes.PostgresDataLeftOut,
                $"the rows of unlogged table {table.DisplayName} are not on a standby: the snapshot has the table's definition alone",
                "back up the primary to have them in the snapshot",
                source);
    }
}
