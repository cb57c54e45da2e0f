using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifeboat.Samples;

/// <summary>A vector for each conversation, with its words; in Chroma, whose server has the app's folder <c>chroma_data</c> open.</summary>
/// <param name="database">Where the server's HTTP API has its database: <c>http://HOST:PORT/api/v2/tenants/…/databases/…</c>.</param>
internal sealed class Vectors(string database, ChatSize size, int seed)
{
    private const int Dimension = 64;
    private const int AtOnce = 200;

    public void Create()
    {
        using HttpClient http = new() { Timeout = TimeSpan.FromMinutes(5) };
        // One whose index is written often, and one whose vectors are all in the queue yet.
        Fill(http, new SampleText(seed), "conversations", size.Conversations, 50);
        Fill(http, new SampleText(seed + 1), "notes", 10 + (size.Conversations / 10), 1_000_000);
    }

    private void Fill(HttpClient http, SampleText chance, string name, int count, int syncThreshold)
    {
        JsonNode created = Post(http, "/collections", new JsonObject
        {
            ["name"] = name, ["configuration"] = new JsonObject { ["hnsw"] = new JsonObject { ["sync_threshold"] = syncThreshold } },
        });
        foreach (int[] some in Enumerable.Range(1, count).Chunk(AtOnce))
        {
            JsonArray vectors = [], metadata = [], documents = [];
            foreach (int id in some)
            {
                vectors.Add(new JsonArray([.. Enumerable.Range(0, Dimension).Select(_ => (JsonNode)(float)((2 * chance.Fraction()) - 1))]));
                metadata.Add(new JsonObject { ["conversation"] = id, ["kind"] = chance.Word(), ["rank"] = chance.Fraction() });
                documents.Add(chance.Words(200));
            }

            Post(http, $"/collections/{created["id"]!.GetValue<string>()}/add", new JsonObject
            {
                ["ids"] = new JsonArray([.. some.Select(static id => (JsonNode)$"{id}")]), ["embeddings"] = vectors, ["metadatas"] = metadata, ["documents"] = documents,
            });
        }
    }

    private JsonNode Post(HttpClient http, string path, JsonObject body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(database + path)) { Content = JsonContent.Create(body) };
        using HttpResponseMessage response = http.Send(request);
        using StreamReader reader = new(response.Content.ReadAsStream());
        string text = reader.ReadToEnd();
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text.Length == 0 ? "{}" : text)!
            : throw new InvalidOperationException($"Chroma answers {path} with {(int)response.StatusCode}: {text}");
    }
}
