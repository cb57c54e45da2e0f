using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.RestoreCheck;

/// <summary>
/// Which definitions a check restored without a difference, by source: <c>.lifeboat/restore-check.json</c>. Whoever loses the file has everything checked anew.
/// </summary>
internal sealed class ProvenDefinitions
{
    private readonly string _path;
    private readonly RunContext _run;
    private readonly Dictionary<string, string> _digests;

    private ProvenDefinitions(string path, RunContext run, Dictionary<string, string> digests)
    {
        _path = path;
        _run = run;
        _digests = digests;
    }

    /// <summary>Reads the file; one that is not there, or not of this form, proves nothing.</summary>
    public static async Task<ProvenDefinitions> ReadAsync(App app, RunContext run, CancellationToken cancellation)
    {
        string path = Path.Combine(RunLock.StateDirectory(app), "restore-check.json");
        Dictionary<string, string> digests = [];
        try
        {
            if (File.Exists(path))
            {
                using JsonDocument document = JsonDocument.Parse(await File.ReadAllTextAsync(path, cancellation));
                foreach (JsonProperty one in document.RootElement.EnumerateObject())
                    digests[one.Name] = one.Value.GetString() ?? "";
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            digests.Clear();
        }

        return new ProvenDefinitions(path, run, digests);
    }

    public bool Has(string source, string digest) => _digests.GetValueOrDefault(source) == digest;

    /// <summary>Notes that these definitions were restored as they are.</summary>
    /// <exception cref="LifeboatException">It cannot be written.</exception>
    public async Task AddAsync(string source, string digest, CancellationToken cancellation)
    {
        _digests[source] = digest;
        File.Delete(_path); // whoever is killed between the two loses a note, and nothing else
        await using PartialFile file = PartialFile.Create(_path, _run.Host);
        await JsonSerializer.SerializeAsync(file.Stream, _digests, ProvenDefinitionsJson.Default.DictionaryStringString, cancellation);
        await file.CommitAsync(cancellation);
    }
}

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class ProvenDefinitionsJson : JsonSerializerContext;
