using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>Reads what a restore will need to know of the known extensions of a database.</summary>
/// <param name="session">In a transaction.</param>
internal sealed class ExtensionReader(PsqlSession session)
{
    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];

    /// <summary>What keeps a backup from being whole.</summary>
    public IReadOnlyList<Problem> Blockers => _blockers;

    public IReadOnlyList<Problem> Warnings => _warnings;

    /// <summary>Asks the extensions' own questions.</summary>
    public static async Task<IReadOnlyList<string>> AnswersAsync(
        PsqlSession session, KnownExtension known, IEnumerable<string> questions, CancellationToken cancellation)
    {
        List<string> answers = [];
        await session.ExecuteAsync("SAVEPOINT lifeboat_questions", cancellation);
        try
        {
            if (known.SessionSql.Length > 0)
                await session.ExecuteAsync(known.SessionSql, cancellation);
            foreach (string question in questions)
                answers.Add(string.Join('\n', (await session.QueryAsync(question, cancellation)).Select(static row => string.Join(' ', row))));
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat_questions; RELEASE SAVEPOINT lifeboat_questions", cancellation);
        }

        return answers;
    }

    /// <param name="ask">Whether to ask the questions too, which may read all rows.</param>
    public async Task<IReadOnlyList<PostgresExtension>> ReadAsync(bool ask, CancellationToken cancellation)
    {
        List<PostgresExtension> extensions = [];
        foreach (PostgresExtension extension in await PostgresDatabaseReader.ReadExtensionsAsync(session, cancellation))
            extensions.Add(KnownExtensions.Find(extension.Name) is { } known ? await ReadAsync(extension, known, ask, cancellation) : extension);
        return extensions;
    }

    private async Task<PostgresExtension> ReadAsync(PostgresExtension extension, KnownExtension known, bool ask, CancellationToken cancellation)
    {
        (IReadOnlyList<PostgresExtensionView> views, IReadOnlyList<Problem> problems) = await known.ViewsAsync(session, cancellation);
        _blockers.AddRange(problems);
        PostgresObjectId[]? ids = known.ObjectIdsSql is null ? null
            : [.. (await session.QueryAsync(known.ObjectIdsSql, cancellation)).Select(static row => new PostgresObjectId(row[0]!, row[1]!, row[2]!))];
        return extension with
        {
            ObjectIds = ids is { Length: > 0 } ? ids : null,
            Views = views.Count > 0 ? views : null,
            Questions = ask ? await AskAsync(known, cancellation) : null,
        };
    }

    private async Task<IReadOnlyList<PostgresQuestion>?> AskAsync(KnownExtension known, CancellationToken cancellation)
    {
        if (known.QuestionsSql is null)
            return null;
        string[] questions = [.. (await session.QueryAsync(known.QuestionsSql, cancellation)).Select(static row => row[0]!)];
        try
        {
            IReadOnlyList<string> answers = await AnswersAsync(session, known, questions, cancellation);
            return questions.Length == 0 ? null : [.. questions.Zip(answers, static (question, answer) => new PostgresQuestion(question, answer))];
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            _warnings.Add(new Problem(
                ErrorCodes.PostgresExtensionUnproven,
                $"extension {known.Name} does not answer, so a restore will compare its tables but cannot ask it: {error.Message}",
                error.SqlState == PostgresError.InsufficientPrivilege
                    ? "connect as a superuser, or have one add the extension to session_preload_libraries"
                    : "see what the message says; what was dumped from a database that does not answer will not answer either",
                session.Connection.Source));
            return null;
        }
    }
}
