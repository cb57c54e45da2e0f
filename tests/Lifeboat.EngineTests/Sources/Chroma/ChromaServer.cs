using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Chroma;

/// <summary>A real Chroma server (tests/chroma/build) on a persist directory, and its HTTP API.</summary>
internal sealed class ChromaServer : IAsyncDisposable
{
    private static readonly string[] Everything = ["embeddings", "metadatas", "documents"];
    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(2) };
    private readonly string _database;

    private ChromaServer(Process process, string database)
    {
        _process = process;
        _database = database;
    }

    public static async Task<ChromaServer> StartAsync(string directory)
    {
        string folder = Environment.GetEnvironmentVariable("LIFEBOAT_TEST_CHROMA") is { Length: > 0 } named ? named : "/var/cache/lifeboat-test/chroma";
        Needs.File(Path.Combine(folder, "installed"));
        Needs.Program("node");
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePort();
            ProcessStartInfo info = new("node")
            {
                ArgumentList =
                {
                    Path.Combine(folder, "node_modules/chromadb/dist/cli.mjs"), "run", "--path", directory,
                    "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
                },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Path.GetTempPath(),
            };
            ChromaServer server = new(Process.Start(info)!, $"http://127.0.0.1:{port}/api/v2/tenants/default_tenant/databases/default_database");
            if (await server.IsUpAsync(port))
                return server;
            await server.DisposeAsync();
            Assert.True(attempt < 5, "the Chroma server does not start");
        }
    }

    public int Id => _process.Id;

    /// <summary>Where its HTTP API has its database.</summary>
    public string Url => _database;

    /// <summary>Creates a collection and gives its id.</summary>
    public async Task<string> CreateAsync(string name, int? syncThreshold = null)
    {
        JsonObject hnsw = syncThreshold is { } threshold ? new() { ["sync_threshold"] = threshold } : [];
        JsonNode created = await PostAsync("/collections", new JsonObject { ["name"] = name, ["configuration"] = new JsonObject { ["hnsw"] = hnsw } });
        return created["id"]!.GetValue<string>();
    }

    public Task AddAsync(string collection, params Record[] records) => WriteAsync(collection, "add", records);

    public Task UpdateAsync(string collection, params Record[] records) => WriteAsync(collection, "update", records);

    public Task UpsertAsync(string collection, params Record[] records) => WriteAsync(collection, "upsert", records);

    public Task DeleteAsync(string collection, params string[] ids) =>
        PostAsync($"/collections/{collection}/delete", new JsonObject { ["ids"] = Texts(ids) });

    public async Task DropAsync(string name)
    {
        using HttpResponseMessage response = await _http.DeleteAsync(new Uri($"{_database}/collections/{name}"));
        Assert.True(response.IsSuccessStatusCode, $"deleting {name}: {response.StatusCode}");
    }

    /// <summary>All collections' ids by their names.</summary>
    public async Task<IReadOnlyDictionary<string, string>> CollectionsAsync()
    {
        JsonArray all = JsonNode.Parse(await _http.GetStringAsync(new Uri(_database + "/collections?limit=10000")))!.AsArray();
        return all.ToDictionary(static one => one!["name"]!.GetValue<string>(), static one => one!["id"]!.GetValue<string>());
    }

    public async Task<long> CountAsync(string collection) =>
        long.Parse(await _http.GetStringAsync(new Uri($"{_database}/collections/{collection}/count")), CultureInfo.InvariantCulture);

    /// <summary>All records of a collection by their ids: what the API gives of each, with keys in order.</summary>
    public async Task<SortedDictionary<string, JsonObject>> RecordsAsync(string collection)
    {
        JsonNode page = await PostAsync($"/collections/{collection}/get", new JsonObject { ["include"] = Texts(Everything), ["limit"] = 100_000 });
        SortedDictionary<string, JsonObject> records = new(StringComparer.Ordinal);
        JsonArray ids = page["ids"]!.AsArray();
        for (int i = 0; i < ids.Count; i++)
            records.Add(ids[i]!.GetValue<string>(), new JsonObject
            {
                ["embedding"] = page["embeddings"]![i]!.DeepClone(),
                ["metadata"] = Ordered(page["metadatas"]![i]),
                ["document"] = page["documents"]![i]?.DeepClone(),
            });
        return records;
    }

    /// <summary>The nearest records and their distances, as the API writes them.</summary>
    public async Task<string> QueryAsync(string collection, float[] vector, int count)
    {
        JsonNode found = await PostAsync($"/collections/{collection}/query", new JsonObject
        {
            ["query_embeddings"] = new JsonArray(Vector(vector)), ["n_results"] = count, ["include"] = Texts(["distances"]),
        });
        return $"{found["ids"]!.ToJsonString()} {found["distances"]!.ToJsonString()}";
    }

    /// <summary>A line for each collection: its name, the number of its records, and a hash over (id, embedding, metadata, document) of all of them.</summary>
    public async Task<string> DigestAsync()
    {
        StringBuilder digest = new();
        foreach ((string name, string id) in (await CollectionsAsync()).OrderBy(static one => one.Key, StringComparer.Ordinal))
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            SortedDictionary<string, JsonObject> records = await RecordsAsync(id);
            foreach ((string record, JsonObject what) in records)
                hash.AppendData(Encoding.UTF8.GetBytes(record + what.ToJsonString() + "\n"));
            digest.Append(CultureInfo.InvariantCulture, $"{name} {id} {records.Count} {await CountAsync(id)} {Convert.ToHexStringLower(hash.GetHashAndReset())}\n");
        }

        return digest.ToString();
    }

    /// <summary>Kills it, as newer servers do not end otherwise.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private async Task<bool> IsUpAsync(int port)
    {
        _ = _process.StandardOutput.ReadToEndAsync();
        _ = _process.StandardError.ReadToEndAsync();
        for (int i = 0; i < 1200 && !_process.HasExited; i++)
        {
            try
            {
                using HttpResponseMessage response = await _http.GetAsync(new Uri($"http://127.0.0.1:{port}/api/v2/heartbeat"));
                if (response.IsSuccessStatusCode)
                    return !_process.HasExited;
            }
            catch (HttpRequestException)
            {
                // not yet
            }

            await Task.Delay(50);
        }

        return false;
    }

    private Task<JsonNode> WriteAsync(string collection, string verb, Record[] records) => PostAsync($"/collections/{collection}/{verb}", new JsonObject
    {
        ["ids"] = Texts([.. records.Select(static record => record.Id)]),
        ["embeddings"] = new JsonArray([.. records.Select(static record => (JsonNode)Vector(record.Vector))]),
        ["metadatas"] = new JsonArray([.. records.Select(static record => (JsonNode)new JsonObject { ["version"] = record.Version, ["kind"] = "test" })]),
        ["documents"] = Texts([.. records.Select(static record => record.Document)]),
    });

    private async Task<JsonNode> PostAsync(string path, JsonObject body)
    {
        using HttpResponseMessage response = await _http.PostAsJsonAsync(_database + path, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static JsonObject? Ordered(JsonNode? metadata) => metadata is null
        ? null
        : new JsonObject(metadata.AsObject().OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static text => (JsonNode)text!)]);

    private static JsonArray Vector(float[] vector) => new([.. vector.Select(static value => (JsonNode)value)]);

    private static int FreePort()
    {
        for (; ; )
        {
            int port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using TcpListener listener = new(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // taken
            }
        }
    }
}

/// <summary>A record whose vector and document follow from its id's number and its version.</summary>
internal sealed record Record(int Number, int Version)
{
    public const int Dimension = 8;

    public string Id => IdOf(Number);

    public float[] Vector => [.. Enumerable.Range(0, Dimension).Select(i => MathF.Sin((Number * 7.1f) + (i * 1.3f) + (Version * 0.37f)))];

    public string Document => $"document {Number} in version {Version} 🛟";

    public static string IdOf(int number) => $"record-{number:D5}";
}
